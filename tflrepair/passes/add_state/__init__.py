"""Signatures that hand out and take the values of variables: saving and restoring without Flex."""
