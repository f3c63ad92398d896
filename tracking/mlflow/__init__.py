"""MLflow's REST API over the tables of Gatelog, one file for each of its services."""
