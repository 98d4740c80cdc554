"""What fills in missing pixels."""
