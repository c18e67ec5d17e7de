"""Images: resolve candidates, build arms, say how exact they are."""
