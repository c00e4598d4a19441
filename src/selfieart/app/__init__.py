"""The app: a page in the browser, served from this computer by this computer."""
