"""A picture: its values, axes, range and metadata, and its way in and out of files."""
