"""`codefit recipes`: what comes with codefit, and a look at one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from codefit.cli.output import emit, table
from codefit.errors import InputError

app = typer.Typer(help="The recipes: list them, read one, copy it to change it, check it.", no_args_is_help=True)

RecipeArgument = Annotated[str, typer.Argument(metavar="RECIPE", help="A bundled recipe's name, or a YAML file.")]


@app.command("list")
def list_recipes() -> None:
    """The recipes that come with codefit."""
    from codefit.recipe import bundled_recipes, load_recipe

    recipes = [load_recipe(name) for name in bundled_recipes()]
    rows = [{"name": r.name, "system": r.system, "description": r.description} for r in recipes]
    width = max(len(recipe.name) for recipe in recipes)
    emit({"recipes": rows}, lambda: "\n".join(f"{row['name']:<{width}}  {row['description']}" for row in rows))


@app.command()
def show(recipe: RecipeArgument) -> None:
    """A recipe with its comments: every field with its meaning, unit and default."""
    from codefit.recipe import recipe_text

    text = recipe_text(recipe)
    emit({"recipe": recipe, "yaml": text}, lambda: text.rstrip())


@app.command()
def copy(
    recipe: RecipeArgument,
    output: Annotated[Path, typer.Argument(metavar="FILE", help="The YAML file to write.")],
) -> None:
    """Write a recipe to a file of your own, to change it."""
    from codefit.files import write_text
    from codefit.recipe import recipe_text

    if output.exists():
        raise InputError("there is a file already", where=str(output), fix="choose another name")
    write_text(output, recipe_text(recipe))
    emit({"recipe": recipe, "file": str(output)}, lambda: f"wrote {output}; run it with: codefit run {output}")


@app.command()
def check(
    recipe: RecipeArgument,
    overrides: Annotated[list[str] | None, typer.Argument(metavar="[KEY=VALUE]...", help="Fields to change.")] = None,
) -> None:
    """Whether a recipe is valid; a typo is answered with the nearest field. Shows every field with its value."""
    from codefit.recipe import load_recipe

    checked = load_recipe(recipe, overrides or ()).model_dump(mode="json")

    def flat(value: object, path: str = "") -> list[list[str]]:
        if isinstance(value, dict) and value:
            return [row for key, inner in value.items() for row in flat(inner, f"{path}.{key}" if path else key)]
        return [[path, str(value)]]

    emit({"valid": True, "recipe": checked}, lambda: table(flat(checked), ["field", "value"]) + "\n\nvalid")
