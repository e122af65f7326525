"""python -m tflrepair"""

from tflrepair.cli import main

if __name__ == "__main__":
    main()
