"""What is written down while a picture is painted, so that it goes on after a power cut or a kill."""
