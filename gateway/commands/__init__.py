"""What the `gatelog` command does, a file for each group of subcommands, each importing what it needs when it runs."""
