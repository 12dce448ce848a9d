"""The kernel that a chapter runs in: `python -m pipeline.chapters.kernel -f CONNECTION_FILE`.

It is IPython's own, with room for the frames of what a chapter calls. It looks for garbage seldom,
and not when it ends: with a compiler loaded that takes a second or more, and the next chapter
waits for it.
"""

from ipykernel import kernelapp

from investigation.interpreter import end_without_looking, look_for_garbage_seldom, with_room


@with_room
def main() -> None:
    """Serve until the client shuts it down."""
    look_for_garbage_seldom()
    end_without_looking()
    kernelapp.launch_new_instance()


if __name__ == "__main__":
    main()
