"""The verbs, one a page, each with its operator."""
