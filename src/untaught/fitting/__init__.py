"""The one loop, its checkpoint, and when it stops."""
