"""How values that are served move against those a model was trained on."""
