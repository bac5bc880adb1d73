"""The electronic seal (电子印章): its picture, its making, and what a sealed file says of itself."""
