"""What the nodes of a language's trees mean for its metrics, a file a language or family."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from codefit.source.metrics.rules.c import C_FAMILY
from codefit.source.metrics.rules.go import GO
from codefit.source.metrics.rules.java import JAVA
from codefit.source.metrics.rules.javascript import JAVASCRIPT, TYPESCRIPT
from codefit.source.metrics.rules.php import PHP
from codefit.source.metrics.rules.python import PYTHON
from codefit.source.metrics.rules.ruby import RUBY
from codefit.source.metrics.rules.rust import RUST
from codefit.source.metrics.vocabulary import MetricRules

RULES: Mapping[str, MetricRules] = MappingProxyType(
    {
        "javascript": JAVASCRIPT,
        "typescript": TYPESCRIPT,
        "python": PYTHON,
        "php": PHP,
        "ruby": RUBY,
        "java": JAVA,
        "go": GO,
        "rust": RUST,
        "c": C_FAMILY,
        "cpp": C_FAMILY,
    }
)
