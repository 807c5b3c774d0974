"""Sensors and actuators without hardware: separate processes that know only the MQTT contract."""
