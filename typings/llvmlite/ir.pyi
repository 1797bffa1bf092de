class Attributes:
    def add(self, name: str) -> None: ...

class Function:
    linkage: str
    attributes: Attributes

class Module:
    def get_global(self, name: str) -> object: ...
