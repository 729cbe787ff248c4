"""The models behind the ports: embedders and answerers."""
