"""What files of weights tell beside their arrays."""
