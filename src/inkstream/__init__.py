"""Stream a bucket of documents into a versioned table of text, exactly once.

The public names are listed in `__init__.pyi`. Each is imported on first use, so that `import inkstream` is quick, and
so that the reading library works where the packages for streaming are not installed.

    from inkstream import read_document

    for page in read_document("scan.pdf"):
        print(page.pagenum, page.confidence, page.text)
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
