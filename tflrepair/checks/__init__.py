"""The rules that ``scan`` holds a model against, one file each, in rooms by domain."""
