"""What leaves dam: reports and files for other tools. Reads only."""
