"""The process that draws samples."""

from lorarecipe.trainer.embedded import importing

if __name__ == "__main__":
    with importing():
        from lorarecipe.trainer.embedded.drawing import main
    main()
