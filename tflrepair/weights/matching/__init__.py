"""Which layer of a file is which layer of the model, and how sure that is."""
