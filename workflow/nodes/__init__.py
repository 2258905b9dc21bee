"""The node types, one file each. The list of them is in `workflow.catalogue`."""
