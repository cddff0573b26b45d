"""The tests: unit (pure), app (the whole application), browser (a real one)."""
