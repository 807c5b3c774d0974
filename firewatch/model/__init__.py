"""The vocabulary: frozen values that every other package speaks in, and nothing that acts.

Modules, from the outside in: `site` (what is watched), `observation` (what was heard),
`alarm` (what the operator must see), `command` (what people and firewatch ask for),
`effect` (what the engine wants done), `topic` and `contract` (how all of it looks on MQTT).
"""
