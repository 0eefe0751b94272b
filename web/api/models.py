"""Models: what is on this machine, under which licence, and how to get and use the rest."""

from __future__ import annotations

from dataclasses import dataclass

from apiflask import APIBlueprint

from dam.errors import NotFound
from dam.indexing.choice import chosen_models, serving_model, use_model
from dam.model_catalogue import BY_NAME, PURPOSES
from dam.model_pulls import Download
from dam.models import ModelState, ModelStore
from web.services import services
from web.shapes import answer

bp = APIBlueprint("models", __name__, url_prefix="/models", tag="Models")


@dataclass(frozen=True, slots=True)
class ModelView:
    name: str
    indexer: str
    state: str  # ready, missing, damaged, downloading or failed
    reason: str | None  # what is wrong with a damaged one, or why a download failed
    purpose: str  # what models of this indexer are for
    summary: str | None  # what sets it apart from the others
    notice: str | None  # what has to be known wherever it is used
    licence: str
    size_bytes: int  # on this machine; of one that is missing: about
    source: str  # the folder it lies in, or where it can be had
    sha256: str | None  # of its weights
    in_use: bool  # new work is done with it
    serves: bool  # searches are answered with it, until another one is through with all work
    can_be_pulled: bool
    command: str | None  # what mends it, for a terminal
    download: Download | None  # one that runs, or that failed


@dataclass(frozen=True, slots=True)
class ModelList:
    models: list[ModelView]


@bp.get("")
@bp.output(answer(ModelList))
def list_models() -> ModelList:
    """List the models, those that are missing with the command that brings them."""
    return ModelList(_models())


@bp.post("/<name>/pull")
@bp.output(answer(ModelView), status_code=202)
@bp.doc(responses={404: "It is none that dam knows.", 503: "DAM_OFFLINE is set."})
def pull(name: str) -> ModelView:
    """Download a model in the background, or go on where an earlier download stopped."""
    services().pulls.start(name)
    return _find(name)


@bp.delete("/<name>/pull")
@bp.output(answer(ModelView))
@bp.doc(responses={404: "It is none that dam knows.", 409: "Another program downloads it."})
def cancel_pull(name: str) -> ModelView:
    """Stop a download. What has arrived is kept for the next one."""
    services().pulls.cancel(name)
    return _find(name)


@bp.post("/<name>/use")
@bp.output(answer(ModelView))
@bp.doc(responses={404: "There is no such model.", 409: "It is not here, or a setting decides."})
def use(name: str) -> ModelView:
    """Do new work with a model. Searches use the one before until everything is indexed anew."""
    owner = services()
    use_model(owner.database, owner.settings, _find(name).indexer, name)
    return _find(name)


def _models() -> list[ModelView]:
    owner = services()
    owner.pulls.reap()
    chosen = chosen_models(owner.database, owner.settings)
    states = ModelStore(owner.settings).list(chosen)
    serving = {name: serving_model(owner.database, name) for name in {s.indexer for s in states}}
    return [_view(state, serving[state.indexer]) for state in states]


def _find(name: str) -> ModelView:
    for model in _models():
        if model.name == name:
            return model
    raise NotFound(f"There is no model {name}.")


def _view(state: ModelState, serving: str | None) -> ModelView:
    preset = BY_NAME.get(state.name)
    return ModelView(
        name=state.name,
        indexer=state.indexer,
        state=state.state,
        reason=state.reason,
        purpose=PURPOSES[state.indexer],
        summary=preset.summary if preset else None,
        notice=state.notice,
        licence=state.licence,
        size_bytes=state.size_bytes,
        source=state.source,
        sha256=state.sha256,
        in_use=state.in_use,
        serves=state.network == serving,
        can_be_pulled=preset is not None and not preset.built_in,
        command=state.mend,
        download=state.download,
    )
