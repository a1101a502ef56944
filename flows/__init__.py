"""What a person or a schedule starts: the command line, the loop, and the flows of Prefect."""
