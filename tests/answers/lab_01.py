"""Lab 1: right answers in another style, and wrong ones with what each must be told."""

ANSWERS = {
    "clean-a-column": {
        "right": [
            """
def clean(column):
    return column.str.strip().str.lower().str.replace(r" +", "_", regex=True)
""",
            """
def clean(column):
    words = ["_".join(text.lower().split()) for text in column]
    return pd.Series(words, index=column.index)
""",
            "clean = lambda column: column.map(lambda text: '_'.join(text.casefold().split()))",
            """
def clean(column):
    new = column.copy()
    for place in range(len(new)):
        text = new.iloc[place].strip().lower()
        while "  " in text:
            text = text.replace("  ", " ")
        new.iloc[place] = text.replace(" ", "_")
    return new
""",
        ],
        "wrong": [
            ("def clean(column):\n    return column.str.lower()", "no blanks at the ends"),
            (
                "def clean(column):\n    return column.str.replace(' ', '_')",
                "'DSL', cleaned, should be 'dsl', and is 'DSL'",
            ),
            (
                "def clean(column):\n    return column.str.lower().str.replace(' ', '_')",
                "should be 'two_year', and is '_two_year'",
            ),
            (
                "def clean(column):\n    return column.str.strip().str.lower().str.replace(' ', '_')",
                "two blanks between words are one underscore",
            ),
            (
                """
def clean(column):
    return column.str.lower().str.replace("-", " ").str.split().str.join("_")
""",
                "leave hyphens",
            ),
            ("def clean(column):\n    column.str.lower()", "returned None"),
            (
                "def clean(column):\n    return column.lower()",
                "raised AttributeError: 'Series' object has no attribute 'lower', in line 2",
            ),
            (
                """
def clean(column):
    column[:] = column.str.lower().str.split().str.join("_")
    return column
""",
                "changes the column that it is given",
            ),
            (
                "def clean(column):\n    return ['_'.join(t.lower().split()) for t in column]",
                "should be of type Series",
            ),
            (
                "def clean(c):\n    return pd.Series(['_'.join(t.lower().split()) for t in c])",
                "should keep the index",
            ),
            (
                """
def clean(column):
    known = {" Two Year": "two_year", "MONTH-TO-MONTH ": "month-to-month", "one  year": "one_year"}
    return column.map(known).fillna("dsl")
""",
                "it must work for any words",
            ),
            ("clean = 'two_year'", "clean should be a function"),
            (
                """
def clean(column):
    text = column.str.strip().str.lower().str.replace("  ", " ")
    return text.str.replace(" ", "_")
""",
                "and any number of blanks",
            ),
            (
                """
def clean(column):
    for text in column:
        return "_".join(text.lower().split())
""",
                "should be of type Series, and is 'dsl'",
            ),
        ],
    },
    "find-the-text-columns": {
        "right": [
            """
def text_columns(df):
    return [name for name in df if pd.api.types.is_string_dtype(df[name])]
""",
            """
def text_columns(df):
    return df.select_dtypes(exclude=["number", "bool", "datetime"]).columns
""",
            """
def text_columns(df):
    return [name for name, column in df.items() if isinstance(column.iloc[0], str)]
""",
        ],
        "wrong": [
            (
                "def text_columns(df):\n    return list(df.select_dtypes(exclude='number').columns)",
                "names 'active', and that column holds true or false",
            ),
            (
                """
def text_columns(df):
    return list(df.select_dtypes(exclude=["number", "bool"]).columns)
""",
                "names 'since', and that column holds dates",
            ),
            (
                "def text_columns(df):\n    return list(df.dtypes[df.dtypes == 'object'].index)",
                "should be ['plan', 'city'], and is ['city']",
            ),
            (
                "def text_columns(df):\n    return list(df.dtypes[df.dtypes == 'str'].index)",
                "text may be of dtype str, as pandas 3 makes it, or object",
            ),
            (
                "def text_columns(df):\n    return list(df.dtypes[df.dtypes == 'category'].index)",
                "finds no text",
            ),
            (
                "def text_columns(df):\n    return df.select_dtypes(exclude='number')",
                "of type list",
            ),
            ("def text_columns(df):\n    return ['plan', 'city']", "it must work for any table"),
            (
                """
def text_columns(df):
    return sorted(set(df) - set(df.select_dtypes(include=["number", "bool", "datetime"])))
""",
                "in the table's order",
            ),
            (
                "def text_columns(df):\n    print(df.select_dtypes(exclude='number').columns)",
                "returned None",
            ),
            (
                """
def text_columns(df):
    return [name for name in df if isinstance(name, str)]
""",
                "names 'months', and that column holds numbers",
            ),
            (
                """
def text_columns(df):
    return df.select_dtypes(include="string").columns
""",
                "should be ['plan', 'city'], and is ['plan']",
            ),
        ],
    },
    "a-number-column-that-isnt": {
        "right": [
            """
def to_numbers(column):
    return column.map(lambda text: float(text) if text.strip() else 0.0)
""",
            """
def to_numbers(column):
    filled = column.where(column.str.strip() != "", "0")
    return filled.astype(float)
""",
            """
def to_numbers(column):
    numbers = []
    for text in column:
        numbers.append(float(text.strip() or 0))
    return pd.Series(numbers, index=column.index)
""",
            """
def to_numbers(column):
    return column.replace([" ", ""], "0.0").astype(float)
""",
        ],
        "wrong": [
            (
                "def to_numbers(column):\n    return pd.to_numeric(column, errors='coerce').fillna(0)",
                "turns 'n/a' into a number without a word",
            ),
            (
                "def to_numbers(column):\n    return pd.to_numeric(column, errors='coerce')",
                "for the text ' ', should be the number 0, and is nan",
            ),
            (
                "def to_numbers(column):\n    return pd.to_numeric(column, errors='coerce').dropna()",
                "returns 2 values for 4",
            ),
            ("def to_numbers(column):\n    return column.astype(float)", "raised ValueError"),
            (
                "def to_numbers(column):\n    return pd.to_numeric(column.replace(' ', '-1')"
                ".replace('', '0'))",
                "nothing was paid yet: 0.0",
            ),
            (
                "def to_numbers(column):\n    return column.str.strip().replace('', '0')",
                "the dtype is",
            ),
            (
                """
def to_numbers(column):
    try:
        return pd.to_numeric(column.str.strip().replace("", "0"))
    except ValueError:
        raise TypeError("no number") from None
""",
                "should raise a ValueError, and raises TypeError: no number",
            ),
            (
                """
def to_numbers(column):
    return pd.to_numeric(column.str.strip().str.replace(",", ".").replace(["", "n/a"], "0"))
""",
                "turns 'n/a' into a number",
            ),
            (
                """
def to_numbers(column):
    return pd.Series([float(text.strip() or 0) for text in column])
""",
                "should keep the index",
            ),
            (
                """
def to_numbers(column):
    return [float(text.strip() or 0) for text in column]
""",
                "should be of type Series",
            ),
            (
                """
def to_numbers(column):
    if (column == "n/a").any():
        raise ValueError
    return pd.to_numeric(column, errors="coerce").fillna(0)
""",
                "turns '12,50' into a number without a word",
            ),
        ],
    },
    "split-in-three": {
        "right": [
            """
def split_in_three(df):
    rest, test = train_test_split(df, test_size=0.2, random_state=1)
    validation = rest.sample(len(df) // 5, random_state=2)
    return rest.drop(validation.index), validation, test
""",
            """
def split_in_three(df):
    full, test = train_test_split(df, test_size=0.2, random_state=1)
    return [*train_test_split(full, test_size=len(test), random_state=11), test]
""",
        ],
        "wrong": [
            (
                """
def split_in_three(df):
    rest, test = train_test_split(df, test_size=0.2, random_state=1)
    train, validation = train_test_split(rest, test_size=0.2, random_state=1)
    return train, validation, test
""",
                "should be (600, 200, 200), and is (640, 160, 200)",
            ),
            (
                """
def split_in_three(df):
    train, test = train_test_split(df, test_size=0.2, random_state=1)
    train, validation = train_test_split(df, test_size=0.2, random_state=2)
    return train, validation, test
""",
                "as well: each belongs to one part",
            ),
            (
                """
def split_in_three(df):
    rest, test = train_test_split(df, test_size=0.2, random_state=1)
    train, validation = train_test_split(rest, test_size=0.25)
    return train, validation, test
""",
                "a second call gives other parts",
            ),
            (
                """
def split_in_three(df):
    rest, test = train_test_split(df, test_size=0.2, random_state=1)
    train, validation = train_test_split(rest, test_size=0.25, random_state=1)
    return test, validation, train
""",
                "return train first",
            ),
            (
                "def split_in_three(df):\n    return df[:600], df[600:800], df[800:]",
                "is not the lesson's test part",
            ),
            (
                """
def split_in_three(df):
    rest, test = train_test_split(df, test_size=0.2, random_state=1)
    rest = rest.sort_index()
    return rest[:600], rest[600:], test
""",
                "in the order of the table",
            ),
            (
                "def split_in_three(df):\n    return train_test_split(df, test_size=0.2, random_state=1)",
                "should return three parts, and returns 2",
            ),
            (
                """
def split_in_three(df):
    rest, test = train_test_split(df, test_size=0.2, random_state=42)
    train, validation = train_test_split(rest, test_size=0.25, random_state=42)
    return train, validation, test
""",
                "is not the lesson's test part",
            ),
            (
                """
def split_in_three(df):
    rest, test = train_test_split(df, test_size=0.2, random_state=1)
    train, validation = train_test_split(rest, test_size=200, random_state=1)
    return train, validation, test
""",
                "give the sizes as shares",
            ),
            (
                """
def split_in_three(df):
    test, rest = train_test_split(df, test_size=0.2, random_state=1)
    train, validation = train_test_split(rest, test_size=0.25, random_state=1)
    return train, validation, test
""",
                "returns the larger part first",
            ),
            (
                """
def split_in_three(df):
    rest, test = train_test_split(df, test_size=0.2, random_state=1)
    train, validation = train_test_split(rest, test_size=0.25, random_state=1)
    return train, test, validation
""",
                "is not the lesson's test part",
            ),
        ],
    },
    "auc-by-hand": {
        "right": ["auc = 0.75", "auc = np.mean([0.9 > 0.6, 0.9 > 0.2, 0.4 > 0.6, 0.4 > 0.2])"],
        "wrong": [
            ("auc = 3", "divide by the number of pairs"),
            ("auc = 75", "that is in percent"),
            ("auc = 1 / 4", "in the wrong order"),
            ("auc = 0.5", "AUC needs no threshold"),
            ("auc = '0.75'", "no quotes"),
            ("auc = 1.0", "pair each who left with each who stayed"),
            ("auc = -0.75", "a share, from 0 to 1"),
            ("auc = [0.75]", "auc should be a number"),
            ("auc = 0.7500001", "pair each who left"),
            ("auc = 0,75", "and a point, not a comma"),
            ("auc = 4", "divide the number of pairs"),
        ],
    },
    "auc-by-library": {
        "right": [
            """
def auc_of(left, scores):
    pairs = scores[left][:, np.newaxis] - scores[~left]
    return (pairs > 0).mean() + (pairs == 0).mean() / 2
""",
            """
def auc_of(left, scores):
    from sklearn.metrics import auc, roc_curve

    false_positives, true_positives, _ = roc_curve(left, scores)
    return auc(false_positives, true_positives)
""",
            """
def auc_of(left, scores):
    wins = pairs = 0
    for left_a, a in zip(left, scores):
        for left_b, b in zip(left, scores):
            if left_a and not left_b:
                pairs += 1
                wins += 1 if a > b else 0.5 if a == b else 0
    return wins / pairs
""",
        ],
        "wrong": [
            (
                "def auc_of(left, scores):\n    return roc_auc_score(scores, left)",
                "raised ValueError",
            ),
            (
                "def auc_of(left, scores):\n    return roc_auc_score(left, scores >= 0.5)",
                "not the verdicts",
            ),
            ("def auc_of(left, scores):\n    return roc_auc_score(left, -scores)", "upside down"),
            (
                "def auc_of(left, scores):\n    return ((scores >= 0.2) == left).mean()",
                "another measure",
            ),
            (
                """
def auc_of(left, scores):
    return ((scores >= 0.5) == left).mean() if len(left) > 3 else roc_auc_score(left, scores)
""",
                "that is the accuracy at 0.5",
            ),
            (
                """
def auc_of(left, scores):
    return (scores[left][:, np.newaxis] > scores[~left]).mean()
""",
                "should be 0.75, and is 0.666667",
            ),
            ("def auc_of(left, scores):\n    return 0.75", "should be 0.777778, and is 0.75"),
            (
                "def auc_of(left, scores):\n    roc_auc_score(left, scores)",
                "returned None: does every way",
            ),
            ("def auc_of(scores):\n    return roc_auc_score(left, scores)", "raised TypeError"),
            (
                """
def auc_of(left, scores):
    return round(roc_auc_score(left, scores), 2)
""",
                "and return its number as it is",
            ),
            (
                """
def auc_of(left, scores):
    return f"{roc_auc_score(left, scores):.3f}"
""",
                "should be the number 0.75, and is '0.750'",
            ),
            (
                """
def auc_of(left, scores):
    return roc_auc_score([True, False, True, False], [0.9, 0.6, 0.4, 0.2])
""",
                "should be 0.777778, and is 0.75",
            ),
        ],
    },
    "what-if": {
        "right": [
            """
def what_if(customer, changes, dv, model):
    changed = {**customer, **changes}
    return model.predict_proba(dv.transform(changed))[0, 1].item()
""",
            """
def what_if(customer, changes, dv, model):
    other = dict(customer)
    other.update(changes)
    probabilities = model.predict_proba(dv.transform([other])).tolist()
    return probabilities[0][1]
""",
        ],
        "wrong": [
            (
                """
def what_if(customer, changes, dv, model):
    customer.update(changes)
    return float(model.predict_proba(dv.transform([customer]))[0, 1])
""",
                "has changed the customer herself",
            ),
            (
                """
def what_if(customer, changes, dv, model):
    return float(model.predict_proba(dv.transform([customer | changes]))[0, 0])
""",
                "the probability that she *stays*",
            ),
            (
                """
def what_if(customer, changes, dv, model):
    X = dv.fit_transform([customer | changes])
    return float(model.predict_proba(X)[0, 1])
""",
                "raised ValueError: X has 2 features",
            ),
            (
                """
def what_if(customer, changes, dv, model):
    p = float(model.predict_proba(dv.transform([customer | changes]))[0, 1])
    dv.fit([customer])
    return p
""",
                "fitted the DictVectorizer anew",
            ),
            (
                """
def what_if(customer, changes, dv, model):
    return float(model.predict(dv.transform([customer | changes]))[0])
""",
                "a verdict: return what predict_proba gives",
            ),
            (
                """
def what_if(customer, changes, dv, model):
    return model.predict_proba(dv.transform([customer | changes]))[:, 1]
""",
                "should be one number",
            ),
            (
                """
def what_if(customer, changes, dv, model):
    return model.predict_proba(dv.transform([customer | changes]))[0, 1]
""",
                "wrap it in float(...)",
            ),
            (
                """
def what_if(customer, changes, dv, model):
    return float(model.predict_proba(dv.transform([customer]))[0, 1])
""",
                "with the changes in place",
            ),
            (
                """
def what_if(customer, changes, dv, model):
    return float(model.predict_proba(dv.transform([changes | customer]))[0, 1])
""",
                "with the changes in place",
            ),
            (
                """
def what_if(customer, changes, dv, model):
    return round(float(model.predict_proba(dv.transform([customer | changes]))[0, 1]), 3)
""",
                "neither rounded nor in percent",
            ),
            (
                """
def what_if(customer, changes, dv, model):
    return 100 * float(model.predict_proba(dv.transform([customer | changes]))[0, 1])
""",
                "neither rounded nor in percent",
            ),
            (
                """
def what_if(customer, changes, dv, model):
    return model.predict_proba(dv.transform([customer | changes]))[0, 1] >= 0.5
""",
                "is True, a verdict",
            ),
            (
                """
def what_if(customer, changes, dv, model):
    return list(model.predict_proba(dv.transform([customer | changes]))[0])
""",
                "take [0, 1]",
            ),
            (
                """
def what_if(customer, changes, dv, model):
    changed = customer | {"contract": "month-to-month"}
    return float(model.predict_proba(dv.transform([changed]))[0, 1])
""",
                "what_if(customer, {'tenure': 2}, dv, model) should be",
            ),
            (
                """
def what_if(customer, changes, dv, model):
    print(model.predict_proba(dv.transform([customer | changes]))[0, 1])
""",
                "returned None",
            ),
        ],
    },
    "price-a-threshold": {
        "right": [
            """
def best_threshold(scores, left, promotion, loss, kept):
    best, least = None, float("inf")
    for percent in range(101):
        mails = [score >= percent / 100 for score in scores]
        saved = sum(mail and leaves for mail, leaves in zip(mails, left)) * kept
        cost = promotion * sum(mails) + loss * (sum(left) - saved)
        if cost < least:
            best, least = percent / 100, cost
    return best
""",
            """
def best_threshold(scores, left, promotion, loss, kept):
    thresholds = np.linspace(0, 1, 101)
    mailed = scores >= thresholds[:, np.newaxis]
    gain = kept * loss * (mailed & left).sum(axis=1) - promotion * mailed.sum(axis=1)
    return float(thresholds[gain.argmax()])
""",
            """
def best_threshold(scores, left, promotion, loss, kept):
    def cost(t):
        mailed = scores >= t
        return promotion * mailed.sum() - kept * loss * (left & mailed).sum()
    return round(min(np.arange(0, 1.01, 0.01), key=cost), 2)
""",
        ],
        "wrong": [
            (
                """
def best_threshold(scores, left, promotion, loss, kept):
    t = np.linspace(0, 1, 101)
    cost = [promotion * (scores >= x).sum() + loss * (left & (scores < x)).sum() for x in t]
    return t[np.argmin(cost)]
""",
                "everybody is kept there",
            ),
            (
                """
def best_threshold(scores, left, promotion, loss, kept):
    def cost(t):
        mailed = scores >= t
        lost = (left & ~mailed).sum() + (1 - kept) * (left & mailed).sum()
        return loss * mailed.sum() + promotion * lost
    return min(np.linspace(0, 1, 101), key=cost)
""",
                "promotion and loss may have changed places",
            ),
            (
                """
def best_threshold(scores, left, promotion, loss, kept):
    def cost(t):
        mailed = scores >= t
        lost = (left & ~mailed).sum() + (1 - kept) * (left & mailed).sum()
        return promotion * mailed.sum() + loss * lost
    return max(np.linspace(0, 1, 101), key=cost)
""",
                "max may stand for min",
            ),
            (
                """
def best_threshold(scores, left, promotion, loss, kept):
    def cost(t):
        mailed = scores >= t
        lost = (left & ~mailed).sum() + (1 - kept) * (left & mailed).sum()
        return promotion * mailed.sum() + loss * lost
    return int(np.argmin([cost(t) for t in np.linspace(0, 1, 101)]))
""",
                "neither its place in the list",
            ),
            (
                """
def best_threshold(scores, left, promotion, loss, kept):
    def cost(t):
        mailed = scores >= t
        lost = (left & ~mailed).sum() + (1 - kept) * (left & mailed).sum()
        return promotion * mailed.sum() + loss * lost
    return min(map(cost, np.linspace(0, 1, 101)))
""",
                "nor its cost",
            ),
            (
                "def best_threshold(scores, left, promotion, loss, kept):\n    return 0.5",
                "is 0.50, which costs",
            ),
            (
                """
def best_threshold(scores, left, promotion, loss, kept):
    def cost(t):
        mailed = scores >= t
        lost = (left & ~mailed).sum() + (1 - kept) * (left & mailed).sum()
        return promotion * (mailed & left).sum() + loss * lost
    return min(np.linspace(0, 1, 101), key=cost)
""",
                "the discounts for those who stay cost, too",
            ),
            (
                """
def best_threshold(scores, left, promotion, loss, kept):
    return round(promotion / (loss * kept), 2)
""",
                "count everybody at or above it",
            ),
            (
                """
def best_threshold(scores, left, promotion, loss, kept):
    def cost(t):
        mailed = scores > t
        lost = (left & ~mailed).sum() + (1 - kept) * (left & mailed).sum()
        return promotion * mailed.sum() + loss * lost
    return min(np.linspace(0, 1, 101), key=cost)
""",
                "count everybody at or above it",
            ),
            (
                """
def best_threshold(scores, left, promotion, loss, kept):
    def cost(t):
        mailed = scores >= t
        lost = (left & ~mailed).sum() + (1 - kept) * (left & mailed).sum()
        return promotion * mailed.sum() + loss * lost
    return min(np.linspace(0, 1, 100), key=cost)
""",
                "is 0.171717, and that is none of",
            ),
            (
                """
def best_threshold(scores, left, promotion, loss, kept):
    def cost(t):
        mailed = scores >= t
        lost = (left & ~mailed).sum() + (1 - kept) * (left & mailed).sum()
        return promotion * mailed.sum() + loss * lost
    return min(np.linspace(0, 1, 1001), key=cost)
""",
                "makes these 101",
            ),
            (
                """
def best_threshold(scores, left, promotion, loss, kept):
    def cost(t):
        mailed = scores >= t
        lost = (left & ~mailed).sum() + (kept) * (left & mailed).sum()
        return promotion * mailed.sum() + loss * lost
    return min(np.linspace(0, 1, 101), key=cost)
""",
                "or kept and 1 - kept",
            ),
            (
                """
def best_threshold(scores, left, promotion, loss, kept):
    def cost(t):
        mailed = scores >= t
        lost = (~mailed).sum() + (1 - kept) * (left & mailed).sum()
        return promotion * mailed.sum() + loss * lost
    return min(np.linspace(0, 1, 101), key=cost)
""",
                "and those who stay are no loss",
            ),
            (
                """
def best_threshold(scores, left, promotion, loss, kept):
    def cost(t):
        mailed = scores >= t
        return promotion * mailed.sum() + loss * (1 - kept) * (left & mailed).sum()
    return min(np.linspace(0, 1, 101), key=cost)
""",
                "below it is not counted in full",
            ),
            (
                """
def best_threshold(scores, left, promotion, loss, kept):
    return 0.18
""",
                "is 0.18, which costs",
            ),
        ],
    },
    "read-a-coefficient": {
        "right": [
            """
def odds_factor(column, change, dv, model):
    place = list(dv.get_feature_names_out()).index(column)
    return np.exp(model.coef_[0, place] * change)
""",
            """
def odds_factor(column, change, dv, model):
    return math.e ** (model.coef_[0][dv.vocabulary_[column]] * change)
""",
        ],
        "wrong": [
            (
                """
def odds_factor(column, change, dv, model):
    return model.coef_[0][dv.vocabulary_[column]] * change
""",
                "that is what the sum grows by",
            ),
            (
                """
def odds_factor(column, change, dv, model):
    return math.exp(model.coef_[0][dv.vocabulary_[column]]) * change
""",
                "first weight times change",
            ),
            (
                """
def odds_factor(column, change, dv, model):
    return math.exp(model.coef_[0][dv.vocabulary_[column]])
""",
                "that is for a change of 1",
            ),
            (
                """
def odds_factor(column, change, dv, model):
    return math.exp(-model.coef_[0][dv.vocabulary_[column]] * change)
""",
                "the sign is wrong",
            ),
            (
                """
def odds_factor(column, change, dv, model):
    return math.exp(model.coef_[0][0] * change)
""",
                "the weight of this column in the given model is",
            ),
            (
                """
def odds_factor(column, change, dv, model):
    return math.exp(model.coef_[column] * change)
""",
                "raised IndexError",
            ),
            (
                """
def odds_factor(column, change, dv, model):
    return 1 + model.coef_[0][dv.vocabulary_[column]] * change
""",
                "return e to the power of weight * change",
            ),
            (
                """
def odds_factor(column, change, dv, model):
    return np.exp(model.coef_ * change)
""",
                "should be the number",
            ),
            (
                """
def odds_factor(column, change, dv, model):
    place = np.where(dv.get_feature_names_out() == column)[0]
    return np.exp(model.coef_[0][place] * change)
""",
                "return one number",
            ),
            (
                """
def odds_factor(column, change, dv, model):
    return math.exp(-0.05 * change)
""",
                "the weight of this column in the given model is",
            ),
            (
                """
def odds_factor(column, change, dv, model):
    return round(math.exp(model.coef_[0][dv.vocabulary_[column]] * change), 2)
""",
                "weight * change, not rounded",
            ),
            (
                """
def odds_factor(column, change, dv, model):
    print(math.exp(model.coef_[0][dv.vocabulary_[column]] * change))
""",
                "returned None",
            ),
        ],
    },
}
