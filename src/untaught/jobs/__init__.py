"""Many pictures: which, where their answers go, what is done already, and the processes that do it."""
