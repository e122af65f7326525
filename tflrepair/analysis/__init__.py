"""Resources: who creates, sets and reads each; what is read before it is set."""
