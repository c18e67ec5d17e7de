"""Reading and writing of plain files and folders, bounded and without following links."""
