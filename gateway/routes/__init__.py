"""The paths of the REST API, one module a resource."""
