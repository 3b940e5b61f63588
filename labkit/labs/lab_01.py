"""Checks and hints of lab 1, train the model."""

import numpy as np
import pandas as pd
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split

from labkit.exercises import Lab, Wrong, describe, expect, is_number, show

lab = Lab("01_train_the_model")
NOT_NONE = (object,)  # a function may return anything else


def small_model():
    """Return dv and model, trained on eight customers."""
    customers = [
        {"contract": contract, "tenure": tenure}
        for contract in ("month-to-month", "one_year")
        for tenure in (1, 10, 30, 60)
    ]
    dv = DictVectorizer(sparse=False)
    X = dv.fit_transform(customers)
    return dv, LogisticRegression().fit(X, [1, 1, 0, 1, 1, 0, 0, 0])


def expect_index(result, column):
    """Raise Wrong unless a new column has the index of the old one."""
    if not result.index.equals(column.index):
        raise Wrong(
            "the new column should keep the index of the old one, or it no longer fits into its "
            "table: use column.str or another of its methods, or give index=column.index."
        )


@lab.exercise(
    "clean-a-column",
    lesson="Clean it",
    hints=[
        "Three things are to do: small letters, blanks at the ends, blanks in the middle.",
        "column.str.lower() is the first, column.str.strip() the second.",
        "Text splits at any number of blanks: column.str.split(); .str.join puts it together.",
    ],
)
def clean(answer):
    function = answer.function("clean", returns=pd.Series)
    cases = {
        "DSL": ("dsl", "make all letters small"),
        " Two Year": ("two_year", "no blanks at the ends, an underscore between the words"),
        "MONTH-TO-MONTH ": ("month-to-month", "leave hyphens, drop blanks at the ends"),
        "one  year": ("one_year", "two blanks between words are one underscore"),
        "No internet   service ": (
            "no_internet_service",
            "it must work for any words, and any number of blanks",
        ),
    }
    for text, (expected, remedy) in cases.items():
        column = pd.Series([text, text], index=[7, 3])
        result = function(column)
        expect(f"{text!r}, cleaned,", result.iloc[0], expected, remedy)
        if column.iloc[0] != text:
            raise Wrong("clean changes the column that it is given: return a new one instead.")
        expect_index(result, column)


@lab.exercise(
    "find-the-text-columns",
    lesson="Clean it",
    hints=[
        "Ask as the lesson did, and exclude more.",
        "df.select_dtypes(exclude=[...]) takes a list of kinds.",
        'The kinds are "number", "bool" and "datetime"; list(table.columns) gives the names.',
    ],
)
def text_columns(answer):
    function = answer.function("text_columns", returns=(list, tuple, pd.Index))
    table = pd.DataFrame(
        {
            "plan": ["DSL", "Fiber"],
            "months": [1, 2],
            "price": [29.85, 70.7],
            "active": [True, False],
            "since": pd.to_datetime(["2024-01-31", "2025-06-30"]),
            "city": pd.Series(["Bonn", "Ulm"], dtype=object),
        }
    )
    names = list(function(table))
    if not names:
        raise Wrong(
            "text_columns finds no text in a table with two columns of text (plan, city): ask, as "
            "the lesson did, for what is *not* something else."
        )
    strangers = {
        "months": "numbers", "price": "numbers", "active": "true or false", "since": "dates",
    }  # fmt: skip
    for name in names:
        if name in strangers:
            raise Wrong(
                f"text_columns names {name!r}, and that column holds {strangers[name]}: exclude "
                "this kind as well."
            )
    expect(
        "text_columns, for a table with the text columns plan and city,",
        names, ["plan", "city"],
        "text may be of dtype str, as pandas 3 makes it, or object; name all, in the table's order",
    )  # fmt: skip
    other = pd.DataFrame({"b": ["x"], "n": [1.5], "a": ["y"]})
    expect(
        "text_columns, for a table with the columns b (text), n (number), a (text),",
        list(function(other)), ["b", "a"], "it must work for any table, in the table's order",
    )  # fmt: skip


@lab.exercise(
    "a-number-column-that-isnt",
    lesson="Clean it",
    hints=[
        "First make all blanks alike, then make them zeros, then convert.",
        'column.str.strip() turns " " into ""; .replace("", "0") replaces whole values.',
        "pd.to_numeric raises a ValueError by itself, if you let it: no errors= needed.",
    ],
)
def to_numbers(answer):
    function = answer.function("to_numbers", returns=pd.Series)
    column = pd.Series(["29.85", " ", "", "100"], index=[4, 2, 9, 1])
    result = function(column)
    if len(result) != 4:
        raise Wrong(
            f"to_numbers returns {len(result)} values for 4: a customer without a bill is still a "
            "customer. Replace the blanks, don't drop them."
        )
    expect_index(result, column)
    if not pd.api.types.is_numeric_dtype(result):
        raise Wrong(f"to_numbers should return numbers, and the dtype is {result.dtype}: convert.")
    remedy = "blanks mean that nothing was paid yet: 0.0"
    for text, came, expected in zip(column, result, (29.85, 0.0, 0.0, 100.0), strict=True):
        expect(f"to_numbers, for the text {text!r},", came, expected, remedy, tolerance=1e-9)
    for text in ("n/a", "12,50"):
        error = function.error(pd.Series(["29.85", text]))
        if error is None:
            raise Wrong(
                f"to_numbers turns {text!r} into a number without a word: only blanks may become "
                "0, any other text must raise a ValueError. Leave errors= out."
            )
        if not isinstance(error, ValueError):
            raise Wrong(f"for {text!r} to_numbers should raise a ValueError, and raises "
                        f"{describe(error)}.")  # fmt: skip


@lab.exercise(
    "split-in-three",
    lesson="Split",
    hints=[
        "Call train_test_split twice: first put the test part aside, then split the rest.",
        "The first call is the lesson's. The second gets what is left: 80% of all.",
        "20% of all is a quarter of 80%: test_size=0.25, and random_state again.",
    ],
)
def split_in_three(answer):
    function = answer.function("split_in_three", returns=(tuple, list))
    table = pd.DataFrame({"customer": range(1000)})
    parts = function(table)
    if len(parts) != 3:
        raise Wrong(f"split_in_three should return three parts, and returns {len(parts)}: return "
                    "train, validation, test.")  # fmt: skip
    names = ("train", "validation", "test")
    ids = []
    for name, part in zip(names, parts, strict=True):
        if not isinstance(part, pd.DataFrame):
            raise Wrong(f"the part {name} should be a table, and is {show(part)}.")
        ids.append(set(part["customer"]))
    for a, b in ((0, 1), (0, 2), (1, 2)):
        if both := len(ids[a] & ids[b]):
            raise Wrong(
                f"{both} customers are in {names[a]} and in {names[b]} as well: each belongs to "
                "one part. Split the second time what is left of the first."
            )
    sizes = tuple(map(len, parts))
    if sorted(sizes) == [200, 200, 600] and sizes != (600, 200, 200):
        raise Wrong(f"the parts have {sizes} of 1,000 customers: return train first.")
    remedy = "the second split gets only 80% of the customers, and 20% of all is a quarter of these"
    if sizes[2] == 800:
        remedy = "train_test_split returns the larger part first, then the one of test_size"
    expect("the sizes of the parts, for 1,000 customers,", sizes, (600, 200, 200), remedy)
    if not all(a.equals(b) for a, b in zip(parts, function(table), strict=True)):
        raise Wrong("a second call gives other parts: both splits need random_state=1.")
    if ids[2] != set(train_test_split(table, test_size=0.2, random_state=1)[1]["customer"]):
        lesson = "train_test_split(df, test_size=0.2, random_state=1)"
        raise Wrong(f"the third part is not the lesson's test part: make it with {lesson}.")
    if list(parts[0]["customer"]) == sorted(ids[0]):
        raise Wrong("the customers are in the order of the table: shuffle, as the library does.")
    expect(
        "the sizes of the parts, for 500 customers,",
        tuple(map(len, function(table[:500]))), (300, 100, 100),
        "give the sizes as shares, such as test_size=0.25, so that they fit any table",
    )  # fmt: skip


@lab.exercise(
    "auc-by-hand",
    lesson="How good is it?",
    hints=[
        "AUC: take one who left and one who stayed. How often has the one who left more?",
        "There are four such pairs: Anna with Ben and Dan, Cleo with Ben and Dan.",
        "Three of the four are in the right order.",
    ],
)
def auc_by_hand(answer):
    auc = answer.value("auc")
    if not is_number(auc):
        raise Wrong(
            f"auc should be a number, and is {show(auc)}: no quotes, no list, and a point, not a "
            "comma, as in 0.12."
        )
    slips = {
        3: "that is the number of pairs in the right order: divide by the number of pairs",
        75: "that is in percent: AUC is a share, from 0 to 1",
        0.25: "that is the share of pairs in the wrong order: count those where who left has more",
        0.5: "that is the share of right verdicts with a threshold of 0.5: AUC needs no threshold, "
        "it compares pairs",
    }
    for slip, remedy in slips.items():
        if abs(auc - slip) < 1e-9:
            raise Wrong(f"auc is {show(auc)}: {remedy}.")
    if not 0 <= auc <= 1:
        raise Wrong(
            f"auc is {show(auc)}, and an AUC is a share, from 0 to 1: divide the number of pairs "
            "in the right order by the number of all pairs."
        )
    if abs(auc - 0.75) > 1e-9:
        raise Wrong(
            f"auc is {show(auc)}, and that is not it: pair each who left with each who stayed, and "
            "count the pairs in which the one who left has the higher score."
        )
    return "Correct: three of the four pairs are in the right order."


@lab.exercise(
    "auc-by-library",
    lesson="How good is it?",
    hints=[
        "The lesson did it in one line.",
        "The truth comes first, the scores second.",
        "roc_auc_score(left, scores), and the scores as they are: no threshold.",
    ],
)
def auc_by_library(answer):
    function = answer.function("auc_of", returns=NOT_NONE)
    cases = [
        ([True, False, False, True, False], [0.3, 0.3, 0.1, 0.7, 0.6]),
        ([True, False, True, False], [0.9, 0.6, 0.4, 0.2]),
        ([False, True, False, False, True, True], [0.1, 0.35, 0.4, 0.48, 0.55, 0.9]),
    ]
    for left, scores in cases:
        left, scores = np.array(left), np.array(scores)
        expected = roc_auc_score(left, scores)
        came = function(left, scores)
        slips = {
            1 - expected: "the order is upside down: high scores should stand for leaving",
            roc_auc_score(left, scores >= 0.5): "AUC wants the scores themselves, not the verdicts "
            "at a threshold",
            ((scores >= 0.5) == left).mean(): "that is the accuracy at 0.5, another measure",
        }
        remedy = (
            "give roc_auc_score the truth first and the scores second, and return its number as "
            "it is"
        )
        for slip, explanation in slips.items():
            if is_number(came) and abs(came - slip) < 1e-9 and slip != expected:
                remedy = explanation
        expect(function.call(left, scores), came, expected, remedy, tolerance=1e-9)


@lab.exercise(
    "what-if",
    lesson="One customer",
    hints=[
        "First make the changed customer, then do what predict_single does.",
        "customer | changes is a new dictionary; the right one wins.",
        "dv.transform wants a list of customers, and column 1 of predict_proba is leaving.",
    ],
)
def what_if(answer):
    function = answer.function("what_if", returns=NOT_NONE)
    for changes in ({"contract": "month-to-month"}, {"tenure": 2}, {}):
        dv, model = small_model()
        columns = list(dv.feature_names_)
        customer = {"contract": "one_year", "tenure": 20}
        X = dv.transform([customer | changes])
        leaves = float(model.predict_proba(X)[0, 1])
        came = function(customer, changes, dv, model)
        what = f"what_if(customer, {changes}, dv, model)"
        if customer != {"contract": "one_year", "tenure": 20}:
            raise Wrong(
                f"{what} has changed the customer herself: make a new dictionary instead, such as "
                "customer | changes."
            )
        if list(dv.feature_names_) != columns:
            raise Wrong(
                f"{what} has fitted the DictVectorizer anew, so its columns are no longer the "
                "model's: use transform, not fit_transform."
            )
        if isinstance(came, (np.ndarray, list, tuple)):
            raise Wrong(f"{what} should be one number, and is {show(came)}: take [0, 1].")
        if is_number(came) and abs(came - (1 - leaves)) < 1e-9:
            raise Wrong(
                f"{what} is {show(came)}, the probability that she *stays*: the second column, "
                "[0, 1], is leaving."
            )
        if isinstance(came, (bool, np.bool_)) or (is_number(came) and came in (0, 1)):
            raise Wrong(
                f"{what} is {show(came)}, a verdict: return what predict_proba gives, with no "
                "predict and no threshold."
            )
        remedy = "score the given customer with the changes in place"
        if is_number(came) and min(abs(came - leaves), abs(came / 100 - leaves)) < 0.005:
            remedy = "return the probability as it is, neither rounded nor in percent"
        expect(what, came, leaves, remedy, tolerance=1e-9)
        if type(came) is not float:
            raise Wrong(
                f"{what} is a {type(came).__name__}, and later nobody can send that as JSON: wrap "
                "it in float(...)."
            )


def cost(threshold, scores, left, promotion, loss, kept):
    """Return what a threshold costs; see the exercise."""
    mailed = scores >= threshold
    lost = (left & ~mailed).sum() + (1 - kept) * (left & mailed).sum()
    return promotion * mailed.sum() + loss * lost


@lab.exercise(
    "price-a-threshold",
    lesson="A threshold has a price",
    hints=[
        "Write the cost of one threshold first, then try all 101 and keep the cheapest.",
        "mailed = scores >= threshold is an array of True and False; left & mailed are the "
        "leavers among them, and .sum() counts.",
        "lost = (left & ~mailed).sum() + (1 - kept) * (left & mailed).sum(), and "
        "min(thresholds, key=cost) finds the cheapest.",
    ],
)
def best_threshold(answer):
    function = answer.function("best_threshold", returns=NOT_NONE)
    chance = np.random.default_rng(7)
    grid = np.linspace(0, 1, 101)
    scores = chance.beta(1, 2, 400).round(2)  # many lie on a threshold
    left = chance.random(400) < scores
    for promotion, loss, kept in ((10, 100, 0.5), (20, 100, 1.0), (5, 60, 0.8), (30, 100, 0.7)):
        prices = (promotion, loss, kept)
        costs = np.array([cost(t, scores, left, *prices) for t in grid])
        came = function(scores, left, *prices)
        what = f"best_threshold(scores, left, {promotion}, {loss}, {kept})"
        if not is_number(came) or not 0 <= came <= 1:
            raise Wrong(
                f"{what} should be a threshold from 0 to 1, and is {show(came)}: return the "
                "threshold, neither its place in the list nor its cost."
            )
        if abs(came - round(came, 2)) > 1e-9:
            raise Wrong(
                f"{what} is {came:.6g}, and that is none of 0.00, 0.01, ..., 1.00: "
                "np.linspace(0, 1, 101) makes these 101."
            )
        came_cost = cost(came, scores, left, *prices)
        if came_cost > costs.min() + 1e-6:
            mailed = np.array([(scores >= t).sum() for t in grid])
            missed = np.array([(left & (scores < t)).sum() for t in grid])
            kept_all = grid[(promotion * mailed + loss * missed).argmin()]
            if (scores >= came).mean() < 0.01:
                remedy = (
                    "hardly anybody gets a discount there: promotion and loss may have changed "
                    "places, or kept and 1 - kept, max may stand for min, or the loss of those "
                    "below it is not counted in full"
                )
            elif (scores >= came).mean() > 0.99:
                remedy = (
                    "nearly everybody gets a discount there: the discounts for those who stay "
                    "cost, too, and those who stay are no loss"
                )
            elif np.isclose(came, kept_all):
                remedy = "everybody is kept there; only the share kept is"
            else:
                remedy = "count everybody at or above it, and the loss of all who leave in the end"
            raise Wrong(
                f"{what} is {came:.2f}, which costs {came_cost:.0f}, and {grid[costs.argmin()]:.2f}"
                f" costs {costs.min():.0f}: {remedy}."
            )


@lab.exercise(
    "read-a-coefficient",
    lesson="Train",
    hints=[
        "Find the weight of the column first: names and weights are in the same order.",
        "list(dv.get_feature_names_out()).index(column) is its place in model.coef_[0].",
        "math.exp(weight * change): multiply first, then the power.",
    ],
)
def odds_factor(answer):
    function = answer.function("odds_factor", returns=NOT_NONE)
    dv, model = small_model()
    weights = dict(zip(dv.feature_names_, model.coef_[0], strict=True))
    for column, change in (("tenure", 12), ("contract=one_year", 1), ("tenure", -6)):
        weight = weights[column]
        came = function(column, change, dv, model)
        slips = {
            weight * change: "that is what the sum grows by: take e to the power of it, math.exp",
            np.exp(weight) * change: "first weight times change, then e to the power of it",
            np.exp(weight): "that is for a change of 1: multiply the weight by change first",
            np.exp(-weight * change): "the sign is wrong: a negative weight makes the odds smaller",
        }
        remedy = (
            f"the weight of this column in the given model is {weight:.4f}; return e to the power "
            "of weight * change, not rounded"
        )
        if isinstance(came, np.ndarray):
            remedy = "find the one weight of this column in model.coef_[0], and return one number"
        for slip, explanation in slips.items():
            if is_number(came) and abs(came - slip) < 1e-9:
                remedy = explanation
        what = f'odds_factor("{column}", {change}, dv, model)'
        expect(what, came, np.exp(weight * change), remedy, tolerance=1e-9)
