"""python -m tflrepair"""

from tflrepair.cli import main

main()
