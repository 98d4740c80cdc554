"""What the noise of one picture is, told from the picture."""
