"""The file formats, one a page."""
