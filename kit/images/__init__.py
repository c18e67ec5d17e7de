"""Images: resolve bases, build arms, report how exact they are."""
