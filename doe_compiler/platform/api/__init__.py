"""What answers: addresses, forms, answers, errors, OpenAPI."""
