"""The methods: how a design picks its points, knowing nothing of variables and their values."""
