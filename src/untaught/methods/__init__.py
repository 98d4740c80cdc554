"""Ways to restore a picture, one a page, and the table of them."""
