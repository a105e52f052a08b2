"""The process that trains a LoRA."""

from lorarecipe.trainer.embedded import importing

if __name__ == "__main__":
    with importing():
        from lorarecipe.trainer.embedded.training import main
    main()
