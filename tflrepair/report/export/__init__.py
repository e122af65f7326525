"""Findings for other programs: SARIF, GitHub, Markdown, a page, Model Explorer, notebooks."""
