"""Files and folders: plain ones, bounded, never through a link; documents read from them."""
