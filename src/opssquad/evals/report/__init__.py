"""What is made of a report: JSON on disk, a table on the terminal, JUnit XML, a page."""
