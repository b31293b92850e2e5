"""Fakes and harnesses that ship with the product: clock, resolver, directory, dialogue runner."""
