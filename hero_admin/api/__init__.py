"""The JSON API: the resources as JSON, by the schemas of their forms and the writes of pages."""
