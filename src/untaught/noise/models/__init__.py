"""The laws of the noise, one a page, and how people write them."""
