"""What the API defines: types and their fields, and reading a request body into one of them."""
