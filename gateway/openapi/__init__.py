"""The description of the gateway's own API: an OpenAPI document, and the page that shows it."""
