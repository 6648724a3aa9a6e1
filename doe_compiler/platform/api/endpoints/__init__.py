"""The functions behind the addresses of the API, and the table that leads to them."""
