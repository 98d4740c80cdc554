"""Similar patches, combined in closed form."""
