"""The parts of report.html: the parser of our own markdown, its tables, template, style, script."""
