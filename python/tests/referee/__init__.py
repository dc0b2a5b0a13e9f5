"""The real LaminDB as referee: its own virtual environment, driven from outside by lists of commands."""
