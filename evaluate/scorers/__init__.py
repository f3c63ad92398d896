"""What a cell's answer is judged by: code, judges, people's own."""
