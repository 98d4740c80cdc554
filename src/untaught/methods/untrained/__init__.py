"""Networks that are fitted to the one picture and know nothing before."""
