"""What comes out, why to believe it, and the page that shows it."""
